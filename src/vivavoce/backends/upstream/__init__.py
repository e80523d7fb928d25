"""Another server of the Realtime API answers: OpenAI's, or a second Vivavoce (``backend``)."""
