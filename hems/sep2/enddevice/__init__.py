"""What one EndDevice has and says of itself: enrolment, reports, readings, log, files, bills."""
