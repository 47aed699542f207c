"""A web page on this computer: an image encoded once, seen at any zoom. Needs the extra `demo`."""
