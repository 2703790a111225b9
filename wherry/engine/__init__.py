"""Use cases, one module for each verb. The API calls them; they call the rooms below."""
