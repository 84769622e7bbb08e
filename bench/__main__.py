"""`python -m bench`. What is measured in a process of its own imports this module anew: nothing else comes with it."""

if __name__ == "__main__":
    from bench.table import main

    main()
