from . import cluster as cluster
from . import converters as converters
from . import data as data
from . import decoders as decoders
from . import degradations as degradations
from . import encoders as encoders
from . import errors as errors
from . import evaluation as evaluation
from . import exporters as exporters
from . import faces as faces
from . import geometry as geometry
from . import images as images
from . import inference as inference
from . import layers as layers
from . import losses as losses
from . import metrics as metrics
from . import models as models
from . import presets as presets
from . import rendering as rendering
from . import training as training
from .inference import Upscaler as Upscaler
from .inference import load_upscaler as load_upscaler
from .inference import upscale as upscale
from .models import ImplicitSR as ImplicitSR
from .models import SubPixelSR as SubPixelSR
from .presets import from_preset as from_preset

__version__: str
