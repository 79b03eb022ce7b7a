"""Following a server's links, at its pace, and what each resource on the way leads to."""
