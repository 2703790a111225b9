"""Networks as users see them."""
