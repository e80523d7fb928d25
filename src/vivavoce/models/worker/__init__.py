"""Models that need a process of their own, because they hold the GIL, keep global state or carry another
licence: ``pool`` is the server's side, ``process`` the worker's, ``wire`` what passes between them."""
