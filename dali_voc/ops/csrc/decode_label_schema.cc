// The inputs, outputs and arguments of `dali_voc.decode_label`.
#include <string>
#include <vector>

#include "dali/pipeline/operator/operator.h"

DALI_SCHEMA(dali_voc__DecodeLabel)
    .DocStr(R"(Decodes PNG labels to cropped class-index maps, without an RGB picture in between.

Outputs: the map [crop height, crop width], and the window it shows in source pixels: its start
(y, x) and its shape (height, width), int32; the window is smaller than the crop where the picture
is, and the rest of the map, at the bottom and at the right, is `ignore_index`. Then, int32, whether
the image is JPEG or PNG of the common kinds, which `decode_crop` reads.

With `resample`, start and shape are those of the source pixels that an image resized with a
triangle filter is computed from, and three more outputs, float, say how: the region of interest in
them, its start and its end (y, x), and the size (height, width) that it becomes.)")
    .NumInput(2, 3)
    .InputDox(0, "encoded", "1D TensorList of uint8",
              "The bytes of PNG files, or of maps as packed data sets keep them.")
    .InputDox(1, "path", "1D TensorList of uint8", "The files' names, for error messages.")
    .InputDox(2, "image", "1D TensorList of uint8",
              "The bytes of the images that belong to the labels; JPEG is checked for damage.")
    .OutputFn([](const dali::OpSpec& spec) { return spec.GetArgument<bool>("resample") ? 7 : 4; })
    .AddParent("dali_voc__CacheArguments")
    .AddParent("dali_voc__PictureArguments")
    .AddArg("crop_size", "Height and width of the crop, pixels; none: the whole picture.",
            DALI_INT_VEC)
    .AddOptionalArg("colors", "Known colours, 0xRRGGBB.", std::vector<int>{})
    .AddOptionalArg("color_classes", "The class of each of `colors`.", std::vector<int>{})
    .AddOptionalArg("values", "Known gray values, 0..65535, or palette indices.",
                    std::vector<int>{})
    .AddOptionalArg("value_classes", "The class of each of `values`.", std::vector<int>{})
    .AddOptionalArg("color_counts", "How many of `colors` belong to each label map.",
                    std::vector<int>{})
    .AddOptionalArg("value_counts", "The same of `values`.", std::vector<int>{})
    .AddOptionalArg("colors_guessed",
                    "Of each map, 1: palette indices whose colour and whose value are of two "
                    "classes are an error.",
                    std::vector<int>{})
    .AddOptionalArg("map",
                    "Which of them; -1: there is no label, its bytes are not looked at, and all of "
                    "a picture of `image_shape` is `unlabeled`.",
                    0, true)
    .AddOptionalArg("segments",
                    "int64 [k, 2]: colours 0xRRGGBB of this file alone and their classes, instead "
                    "of `colors`; negative colours are left out, negative classes ignored.",
                    DALI_INT_VEC, nullptr, true)
    .AddOptionalArg("num_classes", "At least as many, where the tables do not name all.", 0)
    .AddOptionalArg("palette_by_color", "Map palette files by colour; else by index.", true)
    .AddOptionalArg("unknown", "Class of colours and values not listed; -1: an error.", -1)
    .AddOptionalArg("ignore_index", "What fills the crop outside the picture.", 255)
    .AddOptionalArg("unlabeled",
                    "What fills pictures without a label; where crops are chosen by classes, these "
                    "have none. -1: `ignore_index`.",
                    -1)
    .AddOptionalTypeArg("dtype", "UINT8, INT32 or INT64.", DALI_UINT8)
    .AddOptionalArg("position",
                    "Crop position (y, x), each in [0, 1); 0.5 is the centre. Several: candidates.",
                    std::vector<float>{0.5f, 0.5f}, true)
    .AddOptionalArg("max_ratio",
                    "The first candidate is taken in which no class fills more than this share of "
                    "the pixels that are not `ignore_index`, or the last.",
                    1.0f)
    .AddOptionalArg("resample", "Scale the picture before it is cropped.", false)
    .AddOptionalArg("scale", "Factors (y, x) of the picture's size.", DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("resize_shorter",
                    "Pixels that its shorter side has before it is scaled, or fewer for "
                    "`resize_longer`; 0: any.",
                    0)
    .AddOptionalArg("resize_longer", "The same of its longer side.", 0)
    .AddOptionalArg("resize_to", "Height and width that it has before it is scaled.",
                    std::vector<int>{})
    .AddOptionalArg("class_probability", "Share of crops around a pixel of a drawn class.", 0.0f)
    .AddOptionalArg("class_weights", "Per class, for that draw.", std::vector<float>{})
    .AddOptionalArg("class_draw",
                    "Three numbers in [0, 1): whether, which class, which pixel; with two more, "
                    "where in the crop (y, x), else in the middle.",
                    DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("flip", "Mirror the crop left to right.", 0, true)
    .AddOptionalArg("vertical_flip", "Mirror the crop top to bottom.", 0, true)
    .AddOptionalArg("rotation",
                    "Cosine and sine of the angle by which the crop is then turned about its "
                    "centre, counter-clockwise.",
                    DALI_FLOAT_VEC, nullptr, true)
    .AddOptionalArg("image_shape", "Shape (height, width, ...) that the label must have, int64.",
                    DALI_INT_VEC, nullptr, true);
