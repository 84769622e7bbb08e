{{ total('township', 'village') }}
