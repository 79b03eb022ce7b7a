"""Who may do what in the home: people, roles and rights; how they prove who they are."""
