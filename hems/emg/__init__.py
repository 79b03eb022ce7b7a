"""Energy-management gateway: 2030.5 words to house words and back."""
