"""A loop shared by threads, from inside compiled code.

numba's own thread pool may not be entered by two threads at once (its default layer aborts the
process), and XLA calls a kernel from any of its threads. So each call starts POSIX threads of its
own and joins them before it returns. Calls share nothing, cannot deadlock, and leave nothing for a
fork to lose. Starting a thread costs some 20 microseconds.
"""

import os
from collections.abc import Callable

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing.context import BaseContext as TypingContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

INT64 = ir.IntType(64)
POINTER = ir.IntType(8).as_pointer()


def count() -> int:
    """Return OMP_NUM_THREADS or, if it is not set, the number of cores this process may use.

    Raises
    ------
    ValueError
        If OMP_NUM_THREADS is not a whole number of at least 1.
    """
    setting = os.environ.get("OMP_NUM_THREADS", "")
    wanted = setting.split(",")[0].strip()      # "4,2" is a list for nested regions
    if wanted:
        if not wanted.isdigit() or int(wanted) < 1:
            raise ValueError(
                f"OMP_NUM_THREADS={setting!r}: a whole number, 1 or more, was expected.")
        return int(wanted)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@intrinsic
def next_task(typingctx: TypingContext, counter: types.Type) -> tuple[Signature, Callable]:
    """Return the number at address `counter` and add one to it: no two threads get the same."""
    def codegen(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: list[ir.Value],
    ) -> ir.Value:
        place = builder.inttoptr(args[0], INT64.as_pointer())
        return builder.atomic_rmw("add", place, INT64(1), "monotonic")

    return types.int64(types.int64), codegen


@intrinsic
def run(
    typingctx: TypingContext, worker: types.Type, job: types.Type, zero: types.Type,
    threads: types.Type, keep: types.Type,
) -> tuple[Signature, Callable]:
    """Call `worker(address of job, zero)` on several threads and wait for all of them.

    Parameters
    ----------
    worker : compiled function
        It must not raise.
    job : ndarray
    zero : float32 or float64
    threads : int
        How many, including the calling thread.
    keep : tuple of ndarray
        The arrays whose addresses are in the job. Without it numba would free them after their last
        mention, which is too early.
    """
    arguments = (types.int64, zero)
    worker.get_call_type(typingctx, arguments, {})

    def thread_body(context: BaseContext, builder: ir.IRBuilder) -> ir.Function:
        """Wrap the worker as `void *body(void *job)`, the form that pthread_create takes."""
        compiled = worker.dispatcher.get_compile_result(types.none(*arguments))
        context.active_code_library.add_linking_library(compiled.library)
        name = compiled.fndesc.mangled_name + ".thread"
        body = ir.Function(builder.module, ir.FunctionType(POINTER, [POINTER]), name)
        body.linkage = "internal"
        inside = ir.IRBuilder(body.append_basic_block("entry"))
        function = context.declare_function(builder.module, compiled.fndesc)
        values = [inside.ptrtoint(body.args[0], INT64), context.get_constant(zero, 0)]
        context.call_conv.call_function(inside, function, types.none, arguments, values)
        inside.ret(ir.Constant(POINTER, None))
        return body

    def codegen(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: list[ir.Value],
    ) -> ir.Value:
        _, array, _, threads, _ = args
        body = thread_body(context, builder)
        address = builder.bitcast(context.make_array(job)(context, builder, array).data, POINTER)
        create = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.IntType(32), [POINTER, POINTER, body.type, POINTER]),
            "pthread_create")
        join = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), [INT64, POINTER]), "pthread_join")
        nothing = ir.Constant(POINTER, None)
        helpers = builder.sub(threads, INT64(1))
        handles = builder.alloca(INT64, size=threads)
        started = builder.alloca(ir.IntType(32), size=threads)
        with cgutils.for_range(builder, helpers) as loop:
            handle = builder.bitcast(builder.gep(handles, [loop.index]), POINTER)
            status = builder.call(create, [handle, nothing, body, address])
            builder.store(status, builder.gep(started, [loop.index]))
        builder.call(body, [address])
        with cgutils.for_range(builder, helpers) as loop:
            status = builder.load(builder.gep(started, [loop.index]))
            # If the system refuses a thread, the others do its share.
            with builder.if_then(builder.icmp_signed("==", status, ir.IntType(32)(0))):
                builder.call(join, [builder.load(builder.gep(handles, [loop.index])), nothing])
        return context.get_dummy_value()

    return types.void(worker, job, zero, types.int64, keep), codegen
