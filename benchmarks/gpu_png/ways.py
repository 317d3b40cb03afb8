"""Ways of decoding: in a DALI pipeline, or by what launches the kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from nvidia.dali import Pipeline, fn

from benchmarks.gpu_png.work import TABLES, Work
from dali_voc.ops import decode_crop, decode_label
from dali_voc.ops._kernels import PngClasses
from dali_voc.ops._kernels import decode_png as decode_by_kernels
from dali_voc.ops.experimental import check_png, decode_png, decode_png_label

__all__ = ["ByKernels", "InPipeline"]


class InPipeline:
    """A DALI pipeline that decodes the same batch again and again."""

    def __init__(self, work: Work, *, way: str, threads: int, device: torch.device) -> None:
        self._device = device
        on_gpu = device.type == "cuda"
        whole = [np.array(size, np.int32) for size in work.sizes]
        inputs = [
            work.files,
            [np.frombuffer(b"file", np.uint8)] * len(work.files),
            whole,
            [np.zeros((1, 1, 3), np.uint8)] * len(work.files),
        ]
        self._pipeline = Pipeline(
            batch_size=len(work.files),
            num_threads=threads,
            device_id=torch.cuda.current_device() if on_gpu else None,
            prefetch_queue_depth=2,
        )
        with self._pipeline:
            file, name, shape, nothing = fn.external_source(
                source=lambda: inputs, num_outputs=4, layout=[None, None, None, "HWC"]
            )
            if way == "operator":
                found = [*_by_operator(file, name, is_label=work.is_label)]
            elif work.is_label:
                nodes = decode_label(file, name, tables=TABLES, crop_size=None)
                found = [nodes.label]
            else:
                found = [
                    decode_crop(
                        *(file, name, nothing),
                        start=[0, 0],
                        shape=shape,
                        crop_size=None,
                        mean=(0, 0, 0),
                        std=(1, 1, 1),
                        dtype="uint8",
                        channels_last=True,
                    )
                ]
            self._pipeline.set_outputs(*[x.gpu() if on_gpu else x for x in found])
        self._pipeline.build()

    def run(self) -> Any:
        return self._pipeline.run()

    def pixels(self) -> list[npt.NDArray[np.uint8]]:
        found = self.run()
        if self._device.type == "cuda":
            found = [output.as_cpu() for output in found]
        if len(found) > 1:
            check_png(found[1].as_array(), ["file"] * len(found[1]))
        return [np.array(found[0][i]) for i in range(len(found[0]))]


def _by_operator(file: Any, name: Any, *, is_label: bool) -> tuple[Any, Any]:
    if is_label:
        return decode_png_label(file, name, tables=TABLES, unknown=255)
    return decode_png(file, name)


class ByKernels:
    """The launcher alone, with memory that is kept."""

    def __init__(
        self, work: Work, *, nvcomp: Path, threads: int, device: torch.device, pixel: bool
    ) -> None:
        on_gpu = device.type == "cuda"
        n = len(work.files)
        self._windows = [(0, 0, 1, 1)] * n if pixel else [(0, 0, *size) for size in work.sizes]
        channels = () if work.is_label else (3,)
        shapes = [(h, w, *channels) for _, _, h, w in self._windows]
        self._out = [torch.empty(shape, dtype=torch.uint8, device=device) for shape in shapes]
        self._reports = torch.empty((n, 4), dtype=torch.int32, device=device)
        self._files = work.files
        self._options: dict[str, Any] = {
            "nvcomp": nvcomp,
            "scratch": torch.empty(work.scratch, dtype=torch.uint8, device=device),
            "host": torch.empty(work.staging, dtype=torch.uint8, pin_memory=on_gpu),
            "classes": PngClasses(tables=TABLES, instead=255) if work.is_label else None,
            "threads": threads,
        }
        self._device = device

    def run(self) -> None:
        stream = 0
        if self._device.type == "cuda":
            stream = torch.cuda.current_stream(self._device).cuda_stream
            # the pinned memory is written again
            torch.cuda.current_stream(self._device).synchronize()
        decode_by_kernels(
            *(self._files, self._out, self._reports),
            windows=self._windows,
            stream=stream,
            **self._options,
        )

    def pixels(self) -> list[npt.NDArray[np.uint8]]:
        self.run()
        check_png(self._reports.cpu().numpy(), ["file"] * len(self._files))
        return [tensor.cpu().numpy() for tensor in self._out]
