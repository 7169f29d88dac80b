"""A compiled function as a JAX function, for programs that go on from there: loops, vmap."""

from theano.link.linker import is_shared_tensor


def pure(function):
    """What a compiled `theano.function` computes, with the values of its shared variables handed in and out.

    Parameters
    ----------
    function : pytensor.compile.executor.Function
        From `theano.function`, called once before.

    Returns
    -------
    call : callable
        (list of inputs, list of values) -> (list of outputs, list of new values), of JAX arrays;
        it can be traced, so jitted, looped over and vmapped.
    shared : list of SharedVariable
        Whose values `call` takes and gives.

    Raises
    ------
    NotImplementedError
        If it is not compiled as a whole, so that JAX cannot trace it.
    """
    run = function.vm.jit_fn
    fgraph = run.fgraph
    if run.slices or run.sizes or run.main != run.compiled:
        raise NotImplementedError(f"{run.name} is not compiled as a whole, so it cannot be part of another program")
    shared = [place for place, v in enumerate(fgraph.inputs) if is_shared_tensor(v)]
    inputs = [place for place in range(len(fgraph.inputs)) if place not in set(shared)]
    updated = {place: output for output, place in (fgraph.update_mapping or {}).items()}
    wanted = [i for i in range(len(fgraph.outputs)) if i not in set(updated.values())]

    def call(given, values):
        arguments = [None] * len(fgraph.inputs)
        for place, value in zip((*inputs, *shared), (*given, *values), strict=True):
            arguments[place] = value
        outputs = run.whole(arguments)
        return [outputs[i] for i in wanted], [outputs[updated[place]] if place in updated else arguments[place]
                                              for place in shared]

    return call, [function.maker.inputs[place].variable for place in shared]
