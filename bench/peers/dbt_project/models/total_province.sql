{{ total('province', 'city') }}
