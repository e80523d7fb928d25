"""Tests of vivavoce.store."""
