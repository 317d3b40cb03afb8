#include "picture_arguments.h"

DALI_SCHEMA(dali_voc__PictureArguments)
    .DocStr("What the operators share that know which samples show the same picture.")
    .MakeInternal()
    .AddOptionalArg("picture",
                    "Number of the picture: neighbours in the batch of one number have the same "
                    "files, which are read or decoded once.",
                    DALI_INT64, nullptr, true);
