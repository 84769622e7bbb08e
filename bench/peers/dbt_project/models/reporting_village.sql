{{ reporting('village') }}
