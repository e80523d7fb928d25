"""A worker that cannot load its model."""

from vivavoce.models.interfaces import ModelError
from vivavoce.models.worker.process import Handler, serve


def prepare() -> Handler:
    raise ModelError("its model is missing.")


if __name__ == "__main__":
    serve(prepare)
