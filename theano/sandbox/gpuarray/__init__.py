"""Where the second GPU backend stood before Theano 0.9: pickles name it."""
