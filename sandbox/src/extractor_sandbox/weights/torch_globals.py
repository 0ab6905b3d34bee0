"""What a checkpoint's pickle may name: what torch itself accepts with ``weights_only=True``.

Frozen, so that a new torch does not change verdicts by itself; a test compares it with the torch at hand.
"""

_DTYPES = (
    *("bcomplex32", "bfloat16", "bits16", "bits1x8", "bits2x4", "bits4x2", "bits8", "bool"),
    *("complex128", "complex32", "complex64"),
    *("float16", "float32", "float4_e2m1fn_x2", "float64"),
    *("float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu"),
    *("int1", "int2", "int3", "int4", "int5", "int6", "int7", "int8", "int16", "int32", "int64"),
    *("uint1", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7", "uint8", "uint16", "uint32", "uint64"),
    *("qint32", "qint8", "quint2x4", "quint4x2", "quint8"),
)
_SCHEMES = (
    *("per_channel_affine", "per_channel_affine_float_qparams", "per_channel_symmetric"),
    *("per_tensor_affine", "per_tensor_symmetric"),
)
_NUMBERS = ("BFloat16", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
_COMPLEX = ("ComplexDouble", "ComplexFloat")
_QUANTIZED = ("QInt32", "QInt8", "QUInt2x4", "QUInt4x2", "QUInt8")

STORAGES = frozenset(
    (
        *(f"torch.{each}Storage" for each in (*_NUMBERS, *_COMPLEX, *_QUANTIZED, "Bool")),
        *(f"torch.cuda.{each}Storage" for each in (*_NUMBERS, *_COMPLEX, "Bool")),
        *("torch.storage.TypedStorage", "torch.storage.UntypedStorage"),
    )
)
"""What the numbers of a tensor lie in."""

ALLOWED = STORAGES | frozenset(
    (
        *("_codecs.encode", "builtins.bytearray", "builtins.complex", "builtins.set"),
        *("collections.Counter", "collections.OrderedDict"),
        *("torch.Size", "torch.Tensor", "torch.device", "torch.nn.parameter.Parameter"),
        *("torch._tensor._rebuild_from_type_v2", "torch.serialization._get_layout"),
        *("torch._utils._rebuild_device_tensor_from_cpu_tensor",),
        *("torch._utils._rebuild_device_tensor_from_numpy", "torch._utils._rebuild_meta_tensor_no_storage"),
        *("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"),
        *("torch._utils._rebuild_qtensor", "torch._utils._rebuild_sparse_tensor"),
        *("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"),
        *("torch._utils._rebuild_tensor_v3", "torch._utils._rebuild_wrapper_subclass"),
        *(f"torch.{each}" for each in (*_DTYPES, *_SCHEMES)),
        *(f"torch.{each}Tensor" for each in (*_NUMBERS, "Bool")),
        *(f"torch.cuda.{each}Tensor" for each in (*_NUMBERS, "Bool")),
        *(f"torch.{where}sparse.{each}Tensor" for where in ("", "cuda.") for each in _NUMBERS),
    )
)
