#include "crop_arguments.h"

DALI_SCHEMA(dali_voc__CropArguments)
    .DocStr("What the operators share that turn windows into crops.")
    .MakeInternal()
    .AddArg("crop_size", "Height and width of the crop, pixels; none: as large as the picture.",
            DALI_INT_VEC)
    .AddArg("mean", "Per channel, of values in 0..255.", DALI_FLOAT_VEC)
    .AddArg("std", "Per channel, of values in 0..255.", DALI_FLOAT_VEC)
    .AddOptionalArg("fill", "Per channel, what the result holds outside the picture.",
                    std::vector<float>{0.0f, 0.0f, 0.0f})
    .AddOptionalTypeArg("dtype",
                        "FLOAT, FLOAT16, UINT8, or INT16: the bits of bfloat16, on the CPU.",
                        DALI_FLOAT)
    .AddOptionalArg("channels_last", "HWC instead of CHW.", false)
    .AddOptionalArg("roi_start", "First corner (y, x) of what is resized, pixels of the window.",
                    DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("roi_end", "The opposite corner.", DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("size", "Height and width that it becomes.", DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("flip", "Mirror left to right.", 0, true)
    .AddOptionalArg("vertical_flip", "Mirror top to bottom.", 0, true)
    .AddOptionalArg("rotation", "Cosine and sine of the angle by which the crop is then turned.",
                    DALI_FLOAT_VEC, nullptr, true);
