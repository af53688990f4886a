"""Kernels and pools on small inputs, whichever library builds the layers."""


def padding(size: tuple[int, ...], kernel_size: tuple[int, ...]) -> str:
    """Return 'valid' where the kernel fits into the dimensions, else 'same'."""
    fits = all(s >= k for s, k in zip(size, kernel_size, strict=True))
    return "valid" if fits else "same"


def shrunk_kernel(
    size: tuple[int, ...], kernel_size: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the kernel without what could reach no input, wherever it stands."""
    return tuple(min(2 * s - 1, k) for s, k in zip(size, kernel_size, strict=True))


def shrunk_pool(size: tuple[int, ...], pool_size: tuple[int, ...]) -> tuple[int, ...]:
    """Return the pool, no larger than the dimensions it pools over."""
    return tuple(min(s, p) for s, p in zip(size, pool_size, strict=True))
