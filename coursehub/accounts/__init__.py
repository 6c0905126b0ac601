"""Who may do what: roles, invitations to colleagues, who sees which course, and what signing in leaves behind."""
