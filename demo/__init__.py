"""`make demo`: the main job on real photos, over HTTP, as a seller's app would do it."""
