"""A web page on this computer: a picture encoded once, seen at any zoom. Needs the extra `demo`."""
