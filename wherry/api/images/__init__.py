"""/images, /commit, /auth and /distribution: translation between HTTP and the images' use cases."""
