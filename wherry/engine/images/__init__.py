"""Images as users see them."""
