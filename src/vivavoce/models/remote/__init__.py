"""Models on other servers, by OpenAI's HTTP API: what the three senses have in common."""
