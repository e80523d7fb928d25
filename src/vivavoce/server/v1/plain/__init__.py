"""The same models a request at a time: OpenAI's plain endpoints for words, speech and recognition.

``visit.py`` gives a request its place and its bill, ``asking.py`` what its agent makes of it, ``thread.py`` writes it
down; then a file for each endpoint. Where another server answers, the request is passed on to it.
"""
