"""A loop shared by threads, from inside compiled code.

numba's own thread pool may not be entered by two threads at once (its default layer aborts the
process), and XLA calls a kernel from whichever thread it likes. So each call starts its own POSIX
threads and joins them before it returns: nothing is shared between calls, nothing can be waited for
in a circle, and a forked process has nothing to lose. Starting one costs some 20 microseconds.
"""

import os

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

INT64 = ir.IntType(64)
POINTER = ir.IntType(8).as_pointer()


def count():
    """OMP_NUM_THREADS, or the cores this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "").split(",")[0]   # "4,2" is a list for nested regions
    if wanted.strip():
        if not wanted.strip().isdigit() or int(wanted) < 1:
            raise ValueError(f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']!r}: a whole number, 1 or more, was expected.")
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@intrinsic
def next_task(typingctx, counter):
    """The number at address `counter`, which is counted up by one: no two threads get the same."""
    def codegen(context, builder, signature, args):
        return builder.atomic_rmw("add", builder.inttoptr(args[0], INT64.as_pointer()), INT64(1), "monotonic")

    return types.int64(types.int64), codegen


@intrinsic
def run(typingctx, worker, job, zero, threads, keep):
    """Call `worker(address of job, zero)` on as many threads, this one included, and wait for all of them.

    `worker` is a compiled function that raises nothing; `job` an array. `keep` holds the arrays whose
    addresses the job contains: without it numba would free them after their last mention, too early.
    """
    arguments = (types.int64, zero)
    worker.get_call_type(typingctx, arguments, {})

    def thread_body(context, builder):
        """`void *body(void *job)`, the form in which pthread_create takes the worker."""
        compiled = worker.dispatcher.get_compile_result(types.none(*arguments))
        context.active_code_library.add_linking_library(compiled.library)
        body = ir.Function(builder.module, ir.FunctionType(POINTER, [POINTER]), compiled.fndesc.mangled_name + ".thread")
        body.linkage = "internal"
        inside = ir.IRBuilder(body.append_basic_block("entry"))
        function = context.declare_function(builder.module, compiled.fndesc)
        values = [inside.ptrtoint(body.args[0], INT64), context.get_constant(zero, 0)]
        context.call_conv.call_function(inside, function, types.none, arguments, values)
        inside.ret(ir.Constant(POINTER, None))
        return body

    def codegen(context, builder, signature, args):
        _, array, _, threads, _ = args
        body = thread_body(context, builder)
        address = builder.bitcast(context.make_array(job)(context, builder, array).data, POINTER)
        create = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.IntType(32), [POINTER, POINTER, body.type, POINTER]), "pthread_create")
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
            # A thread that the system refused leaves its share to the others.
            with builder.if_then(builder.icmp_signed("==", status, ir.IntType(32)(0))):
                builder.call(join, [builder.load(builder.gep(handles, [loop.index])), nothing])
        return context.get_dummy_value()

    return types.void(worker, job, zero, types.int64, keep), codegen
