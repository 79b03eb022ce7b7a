"""The home energy controller: customer energy manager and energy-management gateway."""
