"""The OpenAI Realtime API, one file a resource."""
