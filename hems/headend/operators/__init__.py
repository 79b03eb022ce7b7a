"""Who works at the utility: operators, what each may do, and the trail of what they did."""
