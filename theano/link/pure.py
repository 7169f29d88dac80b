"""A compiled function as a JAX function, for programs that go on from there: loops, vmap."""

from theano.link.linker import is_shared_tensor
from theano.link.program import NotTraceable


def pure(function):
    """Make a JAX function of a `theano.function`, with its shared values handed in and out.

    Parameters
    ----------
    function : pytensor.compile.executor.Function
        From `theano.function`.

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
        From `call`, if the function cannot be compiled as a whole.
    """
    run = function.vm.jit_fn
    fgraph = run.fgraph
    shared = [place for place, v in enumerate(fgraph.inputs) if is_shared_tensor(v)]
    inputs = [place for place in range(len(fgraph.inputs)) if place not in set(shared)]
    updated = {place: output for output, place in (fgraph.update_mapping or {}).items()}
    wanted = [i for i in range(len(fgraph.outputs)) if i not in set(updated.values())]

    def call(given, values):
        arguments = [None] * len(fgraph.inputs)
        for place, value in zip((*inputs, *shared), (*given, *values), strict=True):
            arguments[place] = value
        try:
            outputs = run.whole(arguments)
        except NotTraceable as error:
            problem = f"{run.name} cannot be part of another program: {error}"
            raise NotImplementedError(problem) from error
        after = [outputs[updated[place]] if place in updated else arguments[place]
                 for place in shared]
        return [outputs[i] for i in wanted], after

    return call, [function.maker.inputs[place].variable for place in shared]
