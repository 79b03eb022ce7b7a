"""What the home measures, shown to those whom the owner granted it, each access logged."""
