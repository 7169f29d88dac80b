"""Convolution by the name that scripts of Theano 0.7 and earlier import."""

from theano.tensor.nnet import abstract_conv


class ConvOp:
    """Theano's Op, by which scripts ask for shapes."""

    @staticmethod
    def getOutputShape(inshp, kshp, stride=(1, 1), mode="valid"):
        """Return rows and columns of the output for those of the image and of the filter."""
        return abstract_conv.get_conv_output_shape((None, None, *inshp), (None, None, *kshp), mode,
                                                   stride)[2:]


def conv2d(input, filters, image_shape=None, filter_shape=None, border_mode="valid",
           subsample=(1, 1), **kwargs):
    """See `theano.tensor.nnet.conv2d`; hints to Theano's C code (`unroll_batch`) are accepted."""
    return abstract_conv.conv2d(input, filters, image_shape, filter_shape, border_mode, subsample)
