"""The hub's side of its software agent (`certs.agent`): starts it, hears it, draws conclusions."""
