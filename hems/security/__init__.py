"""What the owner may know of the home's privacy and security: who hears what, and how guarded."""
