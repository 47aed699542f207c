from .bicubic_upscaler import BicubicUpscaler as BicubicUpscaler
from .loading import load_upscaler as load_upscaler
from .loading import upscale as upscale
from .model_upscaler import ModelUpscaler as ModelUpscaler
from .photograph_upscaler import PhotographUpscaler as PhotographUpscaler
from .saved_model_upscaler import SavedModelUpscaler as SavedModelUpscaler
from .tflite_upscaler import TFLiteUpscaler as TFLiteUpscaler
from .upscaler import Upscaler as Upscaler
