"""The back office above the apps: first page, menu, badges, theme. With the URL map it alone imports apps."""
