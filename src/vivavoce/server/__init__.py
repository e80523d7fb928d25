"""The HTTP application: OpenAI's API (``v1/``), ours (``api/``), the page, and who may reach them."""
