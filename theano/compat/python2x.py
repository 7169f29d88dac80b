"""OrderedDict, by the place that scripts import it from."""

from theano.compat import OrderedDict
