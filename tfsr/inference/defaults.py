"""What upscales photographs by default. Free of imports, for the command line's help."""

BICUBIC = "bicubic"
"""The name of the bicubic filter among presets."""

BACKGROUND = "photos"
"""What upscales a photograph outside its faces."""

FACES = ("off", "auto", "only")
"""What can be done with the faces in photographs; `tfsr.load_upscaler` says what each means."""
