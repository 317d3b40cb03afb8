"""`python -m dali_voc`: the same as `dali-voc`."""

from dali_voc.commands import main

if __name__ == "__main__":
    main()
