"""Private database, cache and storage servers for the tests: own folder, free ports, gone afterwards."""
