"""Settings, addresses and the entrances of the web server and the worker."""
