{{ reporting('province', 'city') }}
