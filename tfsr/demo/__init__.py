"""A web page to zoom into images, on this computer only. Needs the extra `demo`."""
