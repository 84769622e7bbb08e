{{ reporting('township', 'village') }}
