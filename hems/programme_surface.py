"""What the page and the command line may see and ask of the programmes."""
