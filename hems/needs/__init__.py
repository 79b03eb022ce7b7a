"""What people want of their cars, appliances and heat.

Habits stand in the configuration; what the owner asks besides is taken here, followed until it is
done, and kept over a restart.
"""
