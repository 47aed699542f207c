from .batch import Workers as Workers
from .batch import run_jobs as run_jobs
from .upscaling import upscale as upscale
from .url_files import UrlFiles as UrlFiles
